# Under an umbrella good news waits for a customer's other lines that are lost, and for nothing else.
node pop-lon
units a- 1..10 customer=acme upstream=pop-lon
units b- 1..10 customer=beta upstream=pop-lon
unit c-1 customer=ceta upstream=pop-lon
sentinel gateway
at 0s        all answer 12ms
at 1h        pop-lon silent
at 1h        a-* silent
at 1h        b-* silent
at 1h        c-1 silent
at 1h12m     expect umbrellas 1
at 1h12m     expect letters ceta 1
at 1h30m     pop-lon answer 12ms
at 1h30m     c-1 answer 12ms
at 1h30m     a-* answer 12ms
at 1h30m     b-1 answer 12ms
at 1h34m     expect letters ceta 1
# Solved five minutes after they are back: who has no other line that is lost hears of it at once, in one letter.
at 1h36m     expect case c-1 P1 Solved
at 1h36m     expect letters ceta 2
at 1h36m     expect letters acme 2
at 1h36m     expect case b-1 P1 Solved
at 1h36m     expect letters beta 1
at 1h41m     expect letters beta 2
at 1h41m     b-* answer 12ms
at 1h47m     expect letters beta 3
until 2h
