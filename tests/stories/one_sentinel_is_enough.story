# One sentinel that answers vouches for our side: real losses are losses.
unit a customer=acme
sentinel gateway
sentinel core
at 0s        all answer 12ms
at 1h        gateway silent
at 1h        a silent
at 1h9m59s   expect no case a
at 1h10m     expect case a P1 New
until 2h
