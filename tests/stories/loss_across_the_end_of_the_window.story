# A loss that began within the window is given the time to become a fault, or to pass, before the case closes.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h        b silent
at 2h        all answer 12ms
at 26h       a silent
at 26h       b silent
at 26h6m     expect case a P1 Solved
at 26h9m     b answer 12ms
at 26h9m30s  expect case b P1 Closed
at 26h10m    expect case a P1 Working
until 27h
