# A reply to a closed request opens a new one that is linked to it (R31); one that comes before joins.
unit u customer=acme
at 1m   case u open software-update
at 2m   mail from acme@customer.example reply u Which version is it?
at 3m   expect cases 1
at 3m   expect mails joined 1
at 4m   case u answer It is done.
at 5m   expect case u P3 Closed
at 6m   mail from acme@customer.example reply u Thanks, that was quick!
at 7m   expect cases 1
at 7m   expect mails quarantined 1
at 8m   mail from acme@customer.example reply u It does not start any more.
at 9m   expect cases 2
at 9m   expect case u P3 New
# That one is open now: whatever else is said of it is a part of it.
at 10m  mail from acme@customer.example reply u And the lamp is red.
at 11m  expect cases 2
at 11m  expect mails joined 2
until 12m
