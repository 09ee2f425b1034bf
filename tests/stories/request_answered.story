# A request closes when whoever asked has had the answer, and not before (ruling 4). Whatever its line does is no affair of it:
# no window, no upgrade, no umbrella.
unit u customer=acme
unit v customer=acme
at 1m      case u open engineer-dispatch wanted 48h
at 2m      case u take
at 2m      expect case u P3 Working
at 10m     case v open software-update
at 1h      u silent
at 1h10m   expect cases 3
at 1h10m   expect case u P1 New
at 2h      u answer 12ms
at 2h6m    expect case u P1 Solved
at 3h      mail refuse
at 3h      case v answer The software is there.
at 3h1m    expect case v P3 New
# The mail server puts it off; whoever asked has nothing yet.
at 4h      expect case v P3 New
at 4h      mail accept
at 5h      expect case v P3 Closed
# opened, answered; nothing else: the answer is the last letter
at 30h     expect letters acme 6
at 30h     expect case v P3 Closed
until 31h
