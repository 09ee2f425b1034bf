# A P1 opened by staff is declared solved by the watch only if the watch has seen the fault itself.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        case a open P1
at 1h        case b open P1
at 2h        a silent
at 2h        b silent
at 2h1m      a answer 12ms
at 2h30m     expect case a P1 New
at 2h30m     b answer 12ms
at 2h35m10s  expect case b P1 Solved
at 3h        expect cases 2
until 3h
