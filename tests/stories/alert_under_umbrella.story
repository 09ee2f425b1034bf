# R55: an umbrella fires as one; a case that fired by itself is called off when the umbrella speaks for it.
node pop
units a- 1..6 customer=acme upstream=pop
messenger alerts takes=alerts
notify noc alerts mail
at 0s        all answer 12ms
at 1h        a-1 silent
at 1h10m1s   expect alerts 1
at 2h        a-1 answer 12ms
at 2h5m2s    expect alerts 0
at 3h        pop silent
at 3h        a-* silent
at 3h11m     expect umbrellas 1
at 3h11m     expect alerts 1
at 4h        all answer 12ms
at 4h10m     expect alerts 0
until 6h
