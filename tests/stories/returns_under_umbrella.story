# One line of an umbrella that is still open comes back, and then fails by itself: it leaves the umbrella, and the
# operations centre hears of it as well.
node pop-lon
units a- 1..10 customer=acme upstream=pop-lon
sentinel gateway
at 0s        all answer 12ms
at 1h        pop-lon silent
at 1h        a-* silent
at 1h12m     expect umbrellas 1
at 1h12m     expect letters acme 1
at 1h12m     expect letters noc 1
at 1h30m     pop-lon answer 12ms
at 1h30m     a-1 answer 12ms
at 1h40m     expect case a-1 P1 Solved
at 1h41m     expect letters acme 2
at 3h        a-1 silent
at 3h9m      expect case a-1 P1 Solved
at 3h11m     expect case a-1 P1 Working
at 3h11m     expect letters acme 3
at 3h11m     expect letters noc 2
at 4h        a-1 answer 12ms
at 4h6m      expect letters acme 4
at 4h6m      expect letters noc 3
# The umbrella is over with the last of the lines that share its cause.
at 5h        a-* answer 12ms
at 5h12m     expect letters acme 5
at 5h12m     expect letters noc 4
at 5h12m     expect umbrellas 1
until 6h
