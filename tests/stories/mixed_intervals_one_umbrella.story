# A supplier fails bit by bit: lines that are asked every five minutes are lost minutes before the others. One umbrella all
# the same, and one letter to each customer that has its lines lost together.
units s- 1..4 customer=sloe supplier=telco-a interval=5m
units f- 1..14 customer=acme supplier=telco-a
units o- 1..60 customer=other supplier=telco-b
sentinel core
at 0s        all answer 12ms
at 57m       s-* silent
at 1h        f-1 silent
at 1h3s      f-2 silent
at 1h5s      f-* silent
at 1h13m     expect umbrellas 1
at 1h13m     expect letters acme 1
at 1h13m     expect letters noc 1
until 2h
