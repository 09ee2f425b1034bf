# R15: sustained loss upgrades the same case to P1; its window is then that of a P1.
unit a customer=acme
at 0s        all answer 12ms
at 1h        case a open P2
at 2h        a silent
at 2h9m59s   expect case a P2 New
at 2h10m     expect case a P1 New
at 3h        a answer 12ms
at 3h5m      expect case a P1 Solved
at 27h5m     expect case a P1 Closed
at 27h5m     expect cases 1
until 28h
