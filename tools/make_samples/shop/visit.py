"""Facts about visiting the shop: opening hours, the place, and the people."""

from __future__ import annotations

from .fact import Fact

FACTS = (
    Fact(
        "hours-weekdays",
        "opening hours",
        """
When are you open during the week?
What time does the shop open on a Tuesday?
Until when can I come by on weekdays?
Are you still open at half past five on a Thursday?
What are your opening hours from Monday to Friday?
""",
        """From Monday to Friday we {are open|open our doors} from nine in the morning until six in the evening.
{Come by any time|Just drop in}, {we look forward to seeing you|you are always welcome}.""",
    ),
    Fact(
        "hours-saturday",
        "opening hours",
        """
Are you open on Saturday?
How long is the shop open on Saturdays?
Can I come to you on Saturday afternoon?
When do you close on a Saturday?
I work all week. Is there a time at the weekend when I can visit?
""",
        """On Saturdays {we are open|the shop is open} from ten in the morning until two in the afternoon.
{It is our busiest day|It gets busy then}, so {come early|an early visit is best}.""",
    ),
    Fact(
        "hours-sunday",
        "opening hours",
        """
Is the shop open on Sunday?
Can I visit you on a Sunday?
Do you work on Sundays and holidays?
We pass through Saltby next Sunday. Will you be there?
Are you closed on Sundays?
""",
        """{Sorry|I am sorry}, on Sundays and public holidays {the shop is closed|we are closed} and we all go walking.
{You can order online|Our web shop is open} {at any time|day and night}.""",
    ),
    Fact(
        "hours-winter",
        "opening hours",
        """
Do you have other hours in winter?
Are the opening hours the same in January?
When do you close in the winter months?
Is there anything I should know about your hours in the cold season?
Do you close earlier when it gets dark early?
""",
        """In January and February we close {one hour earlier|an hour earlier than usual}, at five in the evening.
{All other|The other} months {keep the normal hours|stay as they are}.""",
    ),
    Fact(
        "hours-phone",
        "opening hours",
        """
When can I call you?
At what time does somebody answer the phone?
Is the phone line open in the evening?
When is the best time to ring you?
Until when can I reach you by phone?
""",
        """You can {call|ring} us on weekdays from ten {in the morning|o'clock} until four in the afternoon.
{At other times|Outside these hours} {please write to us|a short mail is best}, we answer {within|in} one day.""",
    ),
    Fact(
        "place-address",
        "the shop",
        """
Where is your shop?
What is your address?
How do I find you in Saltby?
In which street is the shop?
I would like to visit you. Where do I have to go?
""",
        """{You find us|We are} at 12 Harbour Lane in Saltby, {in the old rope house|in the house where ropes were made}.
{Look for the green door|The door is green}, {right by the water|next to the water}.""",
    ),
    Fact(
        "place-parking",
        "the shop",
        """
Where can I park?
Is there parking near the shop?
Can I come by car?
Do you have parking places for customers?
Is it easy to park close to you?
""",
        """There are {six|just six} free parking places {behind the shop|in the yard behind us}, {for two
hours|two hours at most}.
If they are {full|taken}, {try the fish market|use the big car park at the fish market}.""",
    ),
    Fact(
        "place-bus",
        "the shop",
        """
Which bus goes to the shop?
Can I get to you without a car?
How do I come to the shop by bus or train?
Is there a bus stop near you?
How far is it from the station?
""",
        """Bus number four {stops|halts} right at our door, {every twenty minutes|once in twenty minutes}.
From the {station|railway station} it is {also|} a {nice|short} walk of ten minutes {along the water|by the sea}.""",
    ),
    Fact(
        "place-dog",
        "the shop",
        """
May I bring my dog?
Are dogs allowed in the shop?
Can my dog come inside with me?
What about dogs in your store?
I have a big dog with me. May he come in?
""",
        """{Yes, dogs are welcome|Of course, bring your dog}! {There is|We keep} a bowl of water at the door,
and our own dog Button {loves visitors|will say hello}.""",
    ),
    Fact(
        "place-wheelchair",
        "the shop",
        """
Can I get into the shop with a wheelchair?
Is there a step at the door?
Is your shop easy to enter with a pram?
I cannot climb stairs. Can I still visit you?
Do you have a lift?
""",
        """{There is a ramp at the side door|The side door has a ramp} and {a lift takes you|you can take the
lift} upstairs.
{Ring the bell|Just ring} if you {need a hand|would like some help}.""",
    ),
    Fact(
        "people-founder",
        "about us",
        """
Who started the shop?
Who is behind Quillmoor?
When was the shop founded?
How old is your shop?
Tell me who the owners are, please.
""",
        """{Two sisters, Edda and Runa Quill,|The sisters Edda and Runa Quill} {opened|started} the shop in 1998
with one tent
and {a borrowed table|a table that they had borrowed}. {They still run it today|It is still theirs}.""",
    ),
    Fact(
        "people-name",
        "about us",
        """
Why is the shop called Quillmoor?
Where does your name come from?
What does the name Quillmoor mean?
Is Quillmoor a real place?
How did you find your name?
""",
        """The name {joins two things|comes from two things}: Quill is the {family name of our founders|founders' name},
and the moor is the {hill behind the town|hill above Saltby} where {they learned to walk far|their first
walks were}.""",
    ),
    Fact(
        "people-team",
        "about us",
        """
How many people work at Quillmoor?
Is your team big?
Who works in the shop?
How large is the team?
Are you a big company?
""",
        """We are a {small|little} team of fourteen people, and {each of us|everyone here} {walks, climbs or
camps|goes outdoors} a lot.
{So you get|That is why you get} advice from {real use|our own trips}.""",
    ),
    Fact(
        "people-jobs",
        "about us",
        """
Are you looking for new people?
Can I work at your shop?
Do you have jobs for students?
How do I apply for a job with you?
Is there any work for the summer?
""",
        """Every summer we look for three {helpers|people} {for the shop and the workshop|in shop and workshop}.
{Send us|Write} a {short|friendly} letter before the end of March, {a list of schools is not needed|that is
enough}.""",
    ),
    Fact(
        "people-contact",
        "about us",
        """
How can I reach you?
What is the best way to contact you?
How do I get in touch with the shop?
To whom can I write with a question?
Do you answer mails at the weekend?
""",
        """{Write to us|Send us a message} through the form on our {page|website}, or call on weekdays.
We answer {every letter|each message} {within one day|in one day}, only on Sundays {we rest|it takes longer}.""",
    ),
)
