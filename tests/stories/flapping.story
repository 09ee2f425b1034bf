# Three losses of contact within the hour are a P2; each was too short for a P1.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h2m      a answer 12ms
at 1h10m     a silent
at 1h12m     a answer 12ms
at 1h19m     expect no case a
at 1h20m     a silent
at 1h22m     a answer 12ms
at 1h23m     expect case a P2 New
at 1h23m     expect verdict a DEGRADED
at 1h51m     expect verdict a DEGRADED
at 1h53m     expect verdict a UP
at 1h58m     expect case a P2 Solved
until 3h
