# R55: 111 lines fail at once while the chat puts everything off: the operations centre has one notice of them, by mail after
# 2 minutes though the daemon was stopped meanwhile, and by chat when that is back; each once.
units a- 1..500 customer=acme
sentinel gw
messenger chat
notify noc chat mail
at 0s        all answer 12ms
at 30m       messenger chat fails
at 1h        a-1* silent
at 1h11m     expect umbrellas 1
at 1h11m     expect letters hook:chat 1
at 1h11m     monitor stop
at 1h11m30s  monitor start
at 1h11m45s  expect letters noc 0
at 1h12m30s  expect letters noc 1
at 1h13m     expect notices chat 0
at 2h        messenger chat up
at 2h20m     expect notices chat 1
at 2h20m     expect letters noc 1
until 3h
