# R16: a letter that comes back goes to the next of the customer's people, once, and the marked address gets no more letters while
# another one works. Technical contacts come before those for escalations; who prefers the phone comes last. A restart forgets none of it.
config interval=10s down_after=10m solve_after=5m p1=1h
contact tom customer=acme email=tom@customer.example role=technical
contact eve customer=acme email=eve@customer.example role=escalation
contact ann customer=acme email=ann@customer.example phone=1 prefers=phone
unit acme-1 customer=acme

at 1h       acme-1 silent
at 1h11m    expect letters acme 1
at 1h12m    bounce acme@customer.example
at 1h12m    expect letters tom 1
at 1h12m    expect letters eve 0
at 1h14m    monitor crash
at 1h15m    monitor start
# He does not get it either: the next one does.
at 1h16m    bounce tom@customer.example
at 1h16m    expect letters eve 1
at 1h16m    expect letters ann 0
# New letters go to who works, and to one only.
at 1h20m    acme-1 answer 12ms
at 1h26m    expect case acme-1 P1 Solved
at 1h26m    expect letters acme 1
at 1h26m    expect letters tom 1
at 1h26m    expect letters eve 2
# Somebody writes from the marked address: it gets letters again.
at 1h30m    mail from acme@customer.example reply acme-1 thanks
at 2h30m    expect case acme-1 P1 Closed
at 2h30m    expect letters acme 2
at 2h30m    expect letters eve 2
