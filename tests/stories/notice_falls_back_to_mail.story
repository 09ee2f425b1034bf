# R55: a notice that its messenger has not taken for 2 minutes goes out by mail as well, once; at 1 min 59 s it does not.
config p1=24h
unit a customer=acme
messenger chat
notify noc chat mail
at 0s        all answer 12ms
at 30m       messenger chat down
at 1h        a silent
# The case is opened at 1h10m.
at 1h10m     expect letters hook:chat 1
at 1h11m59s  expect letters noc 0
at 1h12m     expect letters noc 1
at 1h20m     expect notices chat 0
at 1h20m     messenger chat up
# What was down has it, too, when it is back: nothing is lost.
at 1h35m     expect notices chat 1
at 1h35m     expect letters noc 1
at 2h        a answer 12ms
at 2h5m1s    expect notices chat 2
at 2h10m     expect letters noc 1
until 3h
