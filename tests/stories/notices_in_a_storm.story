# R55: 500 cases at once while the chat is down: each notice goes by mail after 2 minutes, once, and none is lost.
units a- 1..500 customer=acme
sentinel gw
messenger chat
notify noc chat mail
at 0s        all answer 12ms
at 30m       messenger chat fails
at 1h        a-1* silent
at 1h13m     expect notices chat 0
at 2h        messenger chat up
at 2h20m     monitor stop
at 2h21m     monitor start
until 4h
