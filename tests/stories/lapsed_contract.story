# Under a lapsed contract what a person opens goes to sales; what the watch finds is worked on (R68). The tier is the
# contract's, as long as it is valid.
routing sales=sales contract_notice=1d
staff ann team=noc
staff sue team=sales
staff vip team=gold
unit a customer=acme
unit b customer=acme
unit c customer=acme
contract c-1 customer=acme tier=gold until=2d
route gold customer_tier=gold team=gold
route rest team=noc
at 23h59m59s   expect letters acme 0
at 24h         expect letters acme 1          # it ends in a day (R70)
at 24h         expect letters management 1
at 30h         monitor crash
at 30h1m       monitor start
at 31h         expect letters acme 1
at 47h59m59s   case a open P1
at 47h59m59s   expect owner a vip
at 48h         case b open P2
at 48h         expect owner b sue
at 48h         expect queue b sales
# The customer is told so, once.
at 48h1m       expect letters acme 3
at 48h2m       case b open engineer-dispatch
at 48h2m       expect owner b sue
at 48h2m       expect letters acme 4
at 48h1m       c silent
at 48h11m5s    expect case c P1 New
at 48h11m5s    expect owner c ann
until 49h
