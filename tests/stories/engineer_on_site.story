# "Engineer on site in two hours" is kept by an arrival, and by nothing else (R37); no time runs while the site is closed.
config first_response=off
unit kept customer=acme
unit news customer=acme
unit closed customer=acme
at 1h          kept silent
at 1h          news silent
at 1h          closed silent
at 2h          case kept promise onsite 2h
at 2h          case news promise onsite 2h
at 2h          case closed promise onsite 2h
at 3h          case closed wait access
at 3h30m       case news update public The engineer is on the road.
at 3h59m59s    case kept arrive
at 4h1s        expect level kept none
at 4h1s        expect level news L1
at 4h1s        expect level closed none
at 5h          case closed take
at 5h59m58s    expect level closed none
at 6h1s        expect level closed L1
until 8h
