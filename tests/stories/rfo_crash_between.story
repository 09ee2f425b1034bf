# R32: the order for a reason for outage, its letter and what became of it survive the daemon. The window is over at 30:00.
config p1=10m rfo_p1=required
unit acme-lon-1 customer=acme
at 0s     acme-lon-1 silent
at 15m    acme-lon-1 answer 12ms
at 25m    mail refuse
# Ordered, and not written yet: it is ordered again.
at 30m    expect letters acme 2
at 30m    monitor crash
at 31m    monitor start
at 32m    expect letters acme 3
at 32m    expect case acme-lon-1 P1 Solved
# Written, and not taken yet: it is not written again.
at 33m    monitor crash
at 34m    monitor start
at 34m    expect letters acme 3
at 34m    mail accept
at 36m    expect case acme-lon-1 P1 Closed
at 36m    expect letters acme 4
