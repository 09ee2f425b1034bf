# Where no rule fits, the case is in the queue of Support as ever, and nobody is told.
staff ann team=noc
unit a customer=acme
route gold customer_tier=gold team=noc
at 1h          a silent
at 1h10m5s     expect case a P1 New
at 1h10m5s     expect queue a Support
at 1h10m5s     expect owner a nobody
at 1h10m5s     expect letters ann 0
at 1h10m5s     expect letters management 0
until 2h
