# A customer is informed when the server took the letter, not when it was written.
config first_response=30m update_p1=off
unit a customer=acme
at 1h          a silent
at 1h20m       mail refuse
at 1h30m       case a update public An engineer looks at it.
at 1h39m59s    expect level a none
at 1h40m5s     expect level a L1
at 1h50m       mail accept
until 3h
