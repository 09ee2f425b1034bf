# A case that the operations centre knows by itself comes under an umbrella: it is told which one speaks for it from now
# on, for it won't hear of its recovery otherwise.
node pop-lon
units a- 1..10 customer=acme upstream=pop-lon
sentinel gateway
at 0s        all answer 12ms
at 30m       case a-1 open P2
at 30m       expect letters noc 1
at 1h        pop-lon silent
at 1h        a-* silent
at 1h12m     expect umbrellas 1
at 1h12m     expect case a-1 P1 New
at 1h12m     expect letters noc 3
# Opened alone, then upgraded, and the others opened.
at 1h12m     expect letters acme 3
at 2h        pop-lon answer 12ms
at 2h        a-* answer 12ms
at 2h12m     expect case a-1 P1 Solved
at 2h12m     expect letters noc 4
at 2h12m     expect letters acme 4
until 3h
