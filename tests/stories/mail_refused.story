# R4: a mail server that refuses blocks no case; letters go out when it takes them again.
unit a customer=acme
at 0s        all answer 12ms
at 30m       mail refuse
at 1h        a silent
at 1h10m     expect case a P1 New
at 2h        a answer 12ms
at 2h5m      expect case a P1 Solved
at 12h       mail accept
until 27h
