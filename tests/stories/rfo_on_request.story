# R32: a P2 is closed without one; anybody who asks for one gets it, at any time before the case is closed.
config p1=10m p2=10m rfo_p1=required
unit acme-lon-1 customer=acme
unit acme-lon-2 customer=acme
at 1m     case acme-lon-1 open P2
at 2m     case acme-lon-1 rfo
at 3m     expect letters acme 2
at 4m     case acme-lon-1 solve
at 13m59s expect case acme-lon-1 P2 Solved
at 14m    expect case acme-lon-1 P2 Closed
at 14m    expect letters acme 4
# One that was given within the window will do.
at 20m    case acme-lon-2 open P1
at 21m    case acme-lon-2 solve
at 22m    case acme-lon-2 rfo
at 30m59s expect case acme-lon-2 P1 Solved
at 31m    expect case acme-lon-2 P1 Closed
at 31m    expect letters acme 8
