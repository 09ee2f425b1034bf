# A request has its first answer within half an hour as well (R12), then news at its own pace; nothing of it is repaired.
config first_response=30m update_p3=24h repair=on
unit told customer=acme ttr=1h
unit silent customer=acme ttr=1h
at 0s        case told open other
at 0s        case silent open other
at 29m59s    case told update public We look into it.
at 29m59s    expect level silent none
at 30m       expect level silent L1
at 30m1s     expect level told none
at 24h29m    expect level told none
at 24h30m    expect level told L1
# The repair of the order is promised for faults.
at 24h31m    expect level silent L2
until 25h
