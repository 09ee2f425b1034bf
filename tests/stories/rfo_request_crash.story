# A daemon that is killed between the order of a document and its delivery goes on where it was (R33).
config p1=1h
unit u customer=acme
at 0s       u silent
at 20m      u answer 12ms
at 2h       expect case u P1 Closed
at 3h       case u open rfo-request
at 3h1m     mail refuse
at 3h1m     case u rfo
at 3h2m     monitor crash
at 3h3m     monitor start
at 3h4m     expect case u P3 New
at 3h4m     mail accept
at 4h       expect case u P3 Closed
until 5h
