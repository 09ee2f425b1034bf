# A customer may ask for the next level, by mail to the one address (R38).

unit acme-lon-1 customer=acme

at 1m acme-lon-1 silent
at 15m mail from acme@customer.example reply acme-lon-1 "Please escalate, this is our head office."
at 16m expect level acme-lon-1 L1
at 16m expect cases 1
# Within a sentence the word may mean anything.
at 17m mail from acme@customer.example reply acme-lon-1 "no need to escalate"
at 18m expect level acme-lon-1 L1
