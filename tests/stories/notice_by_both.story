# R55: mail and messenger together; a dead messenger holds up no mail, and a dead mail server no messenger.
unit a customer=acme
unit b customer=globex
messenger chat
notify noc chat+mail
at 0s        all answer 12ms
at 30m       messenger chat down
at 1h        a silent
at 1h10m1s   expect letters noc 1
at 1h10m1s   expect notices chat 0
at 1h30m     messenger chat up
at 1h45m     expect notices chat 1
at 1h45m     mail refuse
at 2h        b silent
at 2h10m1s   expect notices chat 2
at 2h30m     mail accept
until 4h
