# A customer's message within the window returns the same case; after it, a new one is linked (R29, R31).

config p1=24h
unit acme-lon-1 customer=acme
unit acme-lon-2 customer=acme

at 1m acme-lon-1 silent
at 20m acme-lon-1 answer 12ms
at 30m expect case acme-lon-1 P1 Solved
at 40m mail from acme@customer.example automatic reply acme-lon-1 "out of office"
at 41m expect case acme-lon-1 P1 Solved
# Thanks are no concern: staff read them, and may find otherwise.
at 50m mail from acme@customer.example reply acme-lon-1 "Great, thank you!"
at 51m expect case acme-lon-1 P1 Solved
at 51m expect letters noc 3
at 1h mail from acme@customer.example reply acme-lon-1 "still slow here"
at 61m expect case acme-lon-1 P1 Working
at 61m expect cases 1
at 2h case acme-lon-1 solve
at 25h59m expect case acme-lon-1 P1 Solved
at 26h1m expect case acme-lon-1 P1 Closed

# From then on it is too late for that case.
at 27h mail from acme@customer.example automatic reply acme-lon-1 "out of office"
at 27h1m expect cases 1
at 27h1m expect mails ignored 1
at 27h30m mail from acme@customer.example reply acme-lon-1 "Thanks a lot"
at 27h31m expect cases 1
at 27h31m expect mails quarantined 1
at 28h mail from acme@customer.example reply acme-lon-1 "it is back"
at 28h1m expect cases 2
at 28h1m expect case acme-lon-1 P2 New
at 28h1m expect mails opened 1
# The next reply to the closed case finds its successor.
at 29h mail from acme@customer.example reply acme-lon-1 "and now worse"
at 29h1m expect cases 2
