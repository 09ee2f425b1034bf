# R32: one customer gets one reason for outage about all his lines of a shared outage, and each case waits for it.
config p1=20m rfo_p1=required
units acme- 1..8 customer=acme pop=lon
units beta- 1..4 customer=beta pop=lon
units far- 1..9 customer=far pop=par
at 0s     group pop=lon silent
at 15m    group pop=lon answer 12ms
at 30m    expect letters acme 2
at 30m    expect letters beta 2
# The windows are over soon after 40 minutes; the letters wait 5 minutes for each other.
at 43m    expect letters acme 2
at 43m    expect case acme-1 P1 Solved
at 46m    expect letters acme 3
at 46m    expect letters beta 3
at 46m    expect case acme-1 P1 Closed
at 46m    expect case beta-4 P1 Closed
at 55m    expect letters acme 4
at 55m    expect letters far 0
