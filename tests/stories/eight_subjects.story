# Exactly eight subjects; priority follows (R14). Requests stand beside the fault of their line, each with a reference and one
# letter that says so (R7, R11), by whichever way they come (R5, R10).
unit u customer=acme
unit v customer=acme
at 1m   case u open service-down by phone from acme@customer.example
at 1m   expect case u P1 New
at 2m   case v open degraded checked power checked cables
at 2m   expect case v P2 New
at 3m   case u open rfo-request by phone
at 3m   expect case u P3 New
at 4m   case u open activation-support wanted 50h
at 4m   expect case u P3 New
at 5m   case u open engineer-dispatch wanted 23h59m59s by phone
at 5m   expect case u P3 New
at 6m   case u open information-request
at 6m   expect case u P3 New
at 7m   case u open software-update
at 7m   expect case u P3 New
at 8m   case u open other
at 8m   expect case u P3 New
at 9m   case u open other anyway
at 9m   expect cases 9
at 9m   expect letters acme 9
at 9m   expect letters noc 9
until 10m
