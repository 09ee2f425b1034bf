# R32: a reason for outage that is refused for every address keeps no case open for ever.
config p1=10m rfo_p1=required
unit acme-lon-1 customer=acme
at 0s     acme-lon-1 silent
at 15m    acme-lon-1 answer 12ms
at 25m    mail reject
at 30m15s expect case acme-lon-1 P1 Closed
