# R55: whoever has mail first and a messenger second: a mail server that refuses makes the messenger tell it.
unit a customer=acme
messenger chat
notify noc mail chat
at 0s        all answer 12ms
at 1h        a silent
at 1h11m     expect letters noc 1
at 1h15m     expect notices chat 0
at 1h20m     mail reject
at 2h        a answer 12ms
# That it is solved, and that nobody of the customer's can be written to any more (R16).
at 2h5m1s    expect letters noc 3
at 2h5m1s    expect notices chat 2
until 3h
