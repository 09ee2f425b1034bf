# R55: a messenger that counts what is wrong hears that a case is open, that it is over when it is solved, and that it is
# back; nothing fires after the end.
config p1=24h
unit a customer=acme
messenger alerts takes=alerts
notify noc alerts mail
at 0s        all answer 12ms
at 1h        a silent
at 1h10m1s   expect alerts 1
at 1h10m1s   expect notices alerts 1
at 1h30m     monitor crash
at 1h30m10s  monitor start
at 1h31m     expect alerts 1
at 2h        a answer 12ms
at 2h5m1s    expect alerts 0
at 2h5m1s    expect notices alerts 2
at 3h        a silent
at 3h10m1s   expect alerts 1
at 4h        a answer 12ms
at 4h5m1s    expect alerts 0
# Closed at 28h5m: said again, and nothing fires.
at 28h10m    expect case a P1 Closed
at 28h10m    expect alerts 0
# What is nothing for it goes by mail: none so far.
at 28h10m    expect letters noc 0
until 30h
