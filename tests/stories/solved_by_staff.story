# Staff declare it solved while the line is still lost: it gets ten minutes to come back, then the case returns.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h        b silent
at 2h        case a take
at 2h        expect case a P1 Working
at 2h1m      case a wait supplier sent to telco
at 2h1m      expect case a P1 Waiting
at 2h2m      case a solve
at 2h2m      case b solve
at 2h2m      expect case a P1 Solved
at 2h11m     b answer 12ms
at 2h11m59s  expect case a P1 Solved
at 2h12m     expect case a P1 Working
at 2h12m     expect case b P1 Solved
at 26h1m59s  expect case b P1 Solved
at 26h2m     expect case b P1 Closed
until 27h
