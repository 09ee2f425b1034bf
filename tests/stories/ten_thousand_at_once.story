# Ten thousand lines at once, of a hundred customers: nothing is dropped, and each customer has one letter.
units acme- 1..9900 customer=acme
units beta- 1..100 customer=beta
unit other customer=ceta
sentinel gateway
sentinel core
at 0s        all answer 12ms
at 20m       acme-* silent
at 20m       beta-* silent
at 30m30s    expect cases 10000
at 32m       expect umbrellas 1
at 32m       expect letters beta 1
at 32m       expect letters noc 1
at 32m       expect letters acme 5
at 32m       expect no case other
until 33m
