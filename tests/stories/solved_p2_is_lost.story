# A P2 that is solved and then lost returns as a P1: one letter says both.
unit a customer=acme
at 0s        all answer 12ms
at 1h        case a open P2
at 2h        case a solve
at 2h        expect letters acme 2
at 3h        a silent
at 3h9m59s   expect case a P2 Solved
at 3h10m     expect case a P1 Working
at 3h10m     expect letters acme 3
at 3h10m     expect letters noc 3
at 4h        a answer 12ms
at 4h5m      expect case a P1 Solved
at 4h5m      expect letters acme 4
until 5h
