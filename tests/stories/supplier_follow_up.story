# R19: while a case waits for its supplier, he is asked every hour. Word from him keeps that, silence escalates.
config first_response=off supplier=1h
unit a customer=acme
at 1h          case a open P2
# Nobody waits for a supplier: nothing is owed.
at 5h          expect level a none
at 6h          case a wait supplier the splice team
at 6h59m59s    case a supplier They are on the road.
at 7h          expect level a none
# An hour from his last word.
at 7h59m58s    expect level a none
at 7h59m59s    expect level a L1
# Those above are given the same time.
at 8h59m58s    expect level a L1
at 8h59m59s    expect level a L2
# Whoever takes it up again waits for nobody.
at 9h          case a take
at 20h         expect level a L2
until 20h
