# R15: a line that loses 30 % opens a P2, not a P1, and names the reason. It is solved when three windows were good.
unit a customer=acme
units b- 1..5 customer=beta
sentinel gateway
at 0s        all answer 12ms
at 1h        a lose 30%
at 1h4m      expect no case a
at 1h20m     expect case a P2 New
at 1h20m     expect verdict a DEGRADED
at 2h        a answer 12ms
at 2h25m     expect verdict a DEGRADED
at 2h45m     expect verdict a UP
at 2h50m     expect case a P2 Solved
at 74h30m    expect case a P2 Solved
at 75h       expect case a P2 Closed
at 75h       expect cases 1
until 75h
