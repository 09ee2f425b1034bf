# A restart within the window: the case closes at its time all the same (minus what nobody saw).
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 20h       monitor stop
at 20h       monitor start
at 26h4m59s  expect case a P1 Solved
at 26h5m11s  expect case a P1 Closed
until 27h
