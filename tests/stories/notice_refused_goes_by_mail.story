# R55: what a messenger refuses for good goes by mail at once, and what was taken never does.
unit a customer=acme
unit b customer=globex
messenger chat
notify noc chat mail
at 0s        all answer 12ms
at 1h        a silent
at 1h11m     expect notices chat 1
at 1h13m     expect letters noc 0
at 1h14m     messenger chat refuses
at 2h        b silent
at 2h10m1s   expect letters noc 1
at 2h30m     expect letters noc 1
at 2h30m     expect notices chat 1
until 3h
