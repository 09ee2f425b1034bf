# An answer that no server takes closes nothing: staff answer once more, or tell whoever asked and say so.
config first_response=off update_p3=2h
unit u customer=acme
unit v customer=acme
at 1m     case u open information-request
at 1m     case v open information-request
at 2m     mail reject
at 2m     case u answer It is 40 per cent.
at 2m     case v answer It is 60 per cent.
at 3m     expect case u P3 New
at 2h2m   expect level u L1
at 2h2m   case v answer told It is 60 per cent.
at 2h2m   expect case v P3 Closed
at 2h3m   mail accept
at 2h3m   case u answer It is 40 per cent.
at 2h4m   expect case u P3 Closed
until 3h
