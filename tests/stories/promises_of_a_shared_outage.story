# Many lines, one silence: one letter a customer, one to the operations centre, and news for all keep what was promised to all.
config first_response=30m update_p1=off
units u- 1..30 customer=acme supplier=telco
units v- 1..30 customer=beta supplier=other
at 1h          group supplier=telco silent
at 1h20m       expect umbrellas 1
at 1h30m       umbrella update The fibre is being spliced.
at 2h          expect level u-1 none
at 2h          expect level u-30 none
until 3h
