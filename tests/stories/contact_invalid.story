# R16: when nobody of a customer is left to write to, staff are told once; a letter goes out all the same, and an address that staff
# give ends it. What staff know survives a restart.
config interval=10s down_after=10m solve_after=5m p1=1h
contact tom customer=acme email=tom@customer.example role=technical
unit acme-1 customer=acme
unit acme-2 customer=acme

at 1h       acme-1 silent
at 1h11m    expect letters noc 1
at 1h12m    bounce acme@customer.example
at 1h12m    expect letters tom 1
at 1h12m    expect letters noc 1
at 1h13m    bounce tom@customer.example
at 1h13m    expect letters noc 2
# Nobody works: the customer's own address is tried all the same.
at 1h30m    acme-2 silent
at 1h41m    expect letters acme 2
at 1h41m    expect letters noc 3
at 1h42m    bounce acme@customer.example
at 1h42m    expect letters noc 3
at 1h45m    contact joe customer=acme email=joe@customer.example letters=yes
at 1h46m    monitor crash
at 1h47m    monitor start
at 2h       acme-1 answer 12ms
at 2h6m     expect case acme-1 P1 Solved
at 2h6m     expect letters joe 1
at 2h6m     expect letters acme 2
# Known as a sender, too; until he is switched off.
at 2h10m    mail from joe@customer.example reply acme-2 we restarted the router
at 2h10m    expect mails joined 1
at 2h20m    contact joe off customer=acme
at 2h21m    mail from joe@customer.example subject "and acme-2 is still dark"
at 2h21m    expect mails quarantined 1
