# The parent is back and one line is not: its case stays at work, for its recovery needs its own contact.
node pop
units a- 1..6 customer=acme upstream=pop
sentinel gateway
at 0s        all answer 12ms
at 1h        pop silent
at 1h        a-* silent
at 1h11m     expect umbrellas 1
at 2h        pop answer 12ms
at 2h        a-2 answer 12ms
at 2h10m     expect case a-2 P1 Solved
at 2h10m     expect case a-1 P1 New
at 2h10m     expect verdict a-1 LOSS
at 3h        a-* answer 12ms
at 3h10m     expect case a-1 P1 Solved
until 4h
