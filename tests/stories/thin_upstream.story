# 600 lines behind a router that takes 50 probes a second, where their intervals ask for 60: rounds come 12 s apart, and
# late is not lost. One of them dies, then all of them and the router: every case comes in time, and nobody elsewhere
# notices.
node pop-lon probe_rate=50
units lon- 1..600 customer=acme upstream=pop-lon
units par- 1..100 customer=beta
sentinel gateway
at 0s         all answer 12ms
at 30m        expect cases 0
at 30m        expect verdict lon-1 UP
at 30m        expect verdict lon-600 UP
at 1h         lon-77 silent
at 1h20s      expect verdict lon-77 LOSS
at 1h9m59s    expect cases 0
at 1h10m14s   expect case lon-77 P1 New
at 2h         lon-77 answer 12ms
at 2h14s      expect verdict lon-77 UP
at 2h5m15s    expect case lon-77 P1 Solved
at 4h         pop-lon silent
at 4h         lon-* silent
at 4h9m59s    expect cases 1
at 4h10m20s   expect umbrellas 1
at 4h11m      expect case lon-77 P1 Working
at 4h11m      expect cases 600
at 4h11m      expect case lon-600 P1 New
at 4h11m      expect verdict par-1 UP
at 4h11m      expect no case par-1
at 5h         pop-lon answer 12ms
at 5h         lon-* answer 12ms
at 5h30s      expect verdict lon-1 UP
at 5h30s      expect verdict lon-600 UP
at 5h6m       expect case lon-600 P1 Solved
at 5h6m       expect no alarm isolation
until 6h
