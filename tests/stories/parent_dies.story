# The parent dies 1 ms after its last good probe, with 500 lines of five customers: one umbrella, a case a line, and one
# letter to each customer about all lines. The recovery is one letter to each as well.
node pop-lon
units a- 1..100 customer=acme upstream=pop-lon
units b- 1..100 customer=beta upstream=pop-lon
units c- 1..100 customer=ceta upstream=pop-lon
units d- 1..100 customer=delta upstream=pop-lon
units e- 1..100 customer=epsi upstream=pop-lon
unit elsewhere customer=acme
sentinel gateway
at 0s         all answer 12ms
at 1h0m1ms    pop-lon silent
at 1h0m1ms    a-* silent
at 1h0m1ms    b-* silent
at 1h0m1ms    c-* silent
at 1h0m1ms    d-* silent
at 1h0m1ms    e-* silent
at 1h9m59s    expect cases 0
at 1h10m30s   expect umbrellas 1
at 1h10m30s   expect cases 500
at 1h10m30s   expect no case elsewhere
at 1h12m      expect letters acme 1
at 1h12m      expect letters beta 1
at 1h12m      expect letters ceta 1
at 1h12m      expect letters delta 1
at 1h12m      expect letters epsi 1
at 1h12m      expect letters noc 1
at 1h30m      umbrella update A technician is on his way.
at 1h30m      expect letters acme 2
at 1h30m      expect letters noc 2
at 2h         pop-lon answer 12ms
at 2h0m50s    expect verdict pop-lon UP
at 2h0m50s    expect verdict a-1 LOSS
at 2h1m       a-* answer 12ms
at 2h1m       b-* answer 12ms
at 2h1m       c-* answer 12ms
at 2h1m       d-* answer 12ms
at 2h1m       e-* answer 12ms
at 2h5m30s    expect case a-1 P1 New
at 2h6m30s    expect case a-1 P1 Solved
at 2h12m      expect letters acme 3
at 2h12m      expect letters noc 3
at 2h12m      expect umbrellas 1
at 26h20m     expect case e-99 P1 Closed
at 26h20m     expect letters acme 4
until 27h
