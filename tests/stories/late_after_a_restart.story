# A promise whose time was up while nobody ran is missed at the start, at once.
config first_response=30m update_p1=off
unit a customer=acme
at 1h          a silent
at 1h15m       monitor crash
at 2h          monitor start
at 2h0m5s      expect level a L1
until 3h
