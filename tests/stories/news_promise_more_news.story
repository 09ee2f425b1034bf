# News that the customer's server took begin the time until the next ones, and these are owed as well.
config first_response=30m update_p1=1h
unit a customer=acme
at 1h          a silent
at 1h30m       case a update public An engineer looks at it.
at 2h29m59s    expect level a none
at 2h30m5s     expect level a L1
until 3h
