# R62: at most one survey within 30 days, counted from the letter that brought the last one.
config interval=60s down_after=10m solve_after=5m p1=1h history=3h
surveys 30d
customer acme survey=monthly
customer bolt survey=monthly
unit acme-1 customer=acme
unit acme-2 customer=acme

# Declared solved at 1h and 2h by people: closed to the second an hour later.
at 30m         case acme-1 open P1
at 1h          case acme-1 solve
at 2h1s        expect case acme-1 P1 Closed
at 2h1s        expect surveys acme 1
# 30 days less one second after it, another closes; nobody is asked.
at 30d0h59m59s case acme-1 open P1
at 30d0h59m59s case acme-1 solve
at 30d1h       case acme-2 open P1
at 30d1h       case acme-2 solve
at 30d1h59m59s expect case acme-1 P1 Closed
at 30d1h59m59s expect surveys acme 1
at 30d2h       expect case acme-2 P1 Closed
at 30d2h       expect surveys acme 2
