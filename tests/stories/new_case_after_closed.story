# R30, R31: closed is final; a later fault opens a new case.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 26h5m     expect case a P1 Closed
at 26h5m1s   a silent
at 26h15m30s expect case a P1 New
at 27h       expect cases 2
until 27h
