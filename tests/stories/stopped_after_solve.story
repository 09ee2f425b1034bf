# What people do at the instant at which the daemon stops, they do before. The window does not run while it is stopped.
config down_after=10m interval=10s solve_after=5m
unit acme-lon-1 customer=acme upstream=pop-lon
at 0s    all answer 12ms
at 1h    acme-lon-1 silent
at 2h    monitor stop
at 2h    case acme-lon-1 solve
at 26h   expect case acme-lon-1 P1 Solved
until 60h
