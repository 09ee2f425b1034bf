# R3, R28: a P2 opened by staff has the same stages, and a window of 72 h.
unit a customer=acme
at 0s        all answer 12ms
at 1h        case a open P2
at 1h        expect case a P2 New
at 1h30m     expect case a P2 New
at 2h        case a solve
at 73h59m59s expect case a P2 Solved
at 74h       expect case a P2 Closed
until 75h
