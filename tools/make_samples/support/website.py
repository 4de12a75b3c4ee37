"""Website: faults of the site, the app and the mails that they send."""

from __future__ import annotations

from .topic import Topic

CHECKOUT = Topic(
    name="checkout",
    situations="""
I want to {order|buy} the [item] and the last button {does nothing|is grey}. @2456/1236
At the step where one pays, the page {turns|stays} white. @1345/1234
I filled in my address {five|three} times, and each time the form {throws it out|is empty again}. @2456/125
After "{pay|buy} now" I {see|get} "something went wrong", {and nothing else|with a sad tent}. @12346/124
The field for the voucher {covers|hides} the button that I need. @4/256
The box for the {country|house number} cannot be {opened|changed}, so I cannot {go on|get to the end}. @46/1256
A wheel {turns|spins} and {turns|spins} when I {pick|choose} the way of sending. @456/236
It says that my postcode has {the wrong length|letters in it}. {It has not.|It has five digits like all others.} @45/125
When I choose to pay by transfer, the {page|site} jumps back to the {start|first step}. @24/256
On my {tablet|phone} the form is wider than the screen, and the {right|end} part with the button is {off|cut}. @5/156
The tick at "I have read the terms" {vanishes|goes away} as soon as I {press|click} on. @46/256
I get to the summary, everything is right, I click, and {I am at the start|the page just blinks}. @2346/124
""",
    details="""
I tried with {two|three} cards and a gift card, it is not {that|the payment}.
My account is fine, I am {signed|logged} in.
No money was taken, I {looked|checked with the bank}.
I tried another browser and {it is|got} the same.
{All|The} other shops work on this computer.
I {have spent|spent} an hour with {this|it}.
""",
    asks="""
Can you {take|write down} the order by hand?
What can I do?
When will it {work|be fixed}?
Has it {gone|come} through or not?
Please tell your {technical people|web people}.
Is there {a trick|another way}?
""",
    shorts="""
checkout doesn't work, button is grey
I can't {finish|send off} my order, the page {hangs|freezes}.
Error at the last step: {"try again later"|code 502}. {Since yesterday!|What is that?}
Is the payment page {down|broken} {today|right now}?
The form does not {take|like} my {address|postcode}.
""",
)

APP = Topic(
    name="app",
    situations="""
The app {closes|shuts} when I {open|tap} the picture of the [item]. @1346/1256
Since the {last|new} version the app {starts|opens} with a white {screen|page}. @13456/1235
The app says that I am {offline|not on the net}, and {everything else works|I am writing to you on the same phone}.
  @135/256
I get the same {note|alert} from the app {every hour|ten times a day}: "your parcel is near". It {came|was here}
  [ago]. @14/46
The app is in {German|French|Spanish} since [day], and I do not {speak|read} a word of it. @14/3
My phone gets {hot|warm} and {slow|empty} when your app is {open|on}. @34/126
I cannot {load|get} the app because my {phone|tablet} is "too old". It is from {2020|2021}. @-/15
In the app the [item] cost[s] {less|more} than on the {site|page}, one of them must be {broken|wrong}. @-/6
When I scan my member card, the app {shows|gives} a black {square|box}. @135/26
The app {forgets|loses} what I {put in the basket|liked} when I {turn the phone|take a call}. @1234/16
The letters in the app are so {small|pale} that {[who]|my father} cannot {read|see} them. @6/1
The camera in your size {helper|tool} {stays|is} black, so it cannot measure my foot. @13/25
""",
    details="""
I {deleted|removed} it and {put it on|loaded it} again.
On the {computer|big screen} all is {well|as it should be}.
The phone is {new|up to date}.
[who] has the same phone and the same {bug|trouble}.
I signed out and in, and {even |}set a new password.
Before, it was a really {good|quick} app.
""",
    asks="""
Is {an update|a new version} coming {soon|}?
Is it me or you?
How do I get {it|the old one} back?
Can I {turn|switch} that off {somewhere|}?
Do you need to know which phone I have?
Do you {know|have heard} of that?
""",
    shorts="""
app crashes all the time
Your app {hangs|stops} at the start {since|after} the update.
Can I use the app {without the net|on an old phone}?
app in the wrong language, how to change
The app {ate|emptied} my {battery|basket}!
""",
)

BASKET = Topic(
    name="basket",
    situations="""
I put [a_item] in the basket and {a second later it is|by the next page it is} empty. @1234/246
The basket {counts|shows} {three|four} where I {chose|put in} one, and I cannot {go lower|change it}. @346/234
There is [a_item2] in my basket that I cannot {remove|get out}. @36/3
The sum {in|under} the basket does not {add up|fit} what is in it. @46/24
What I {chose|put in} on the phone does not show {up|} on the computer. @26/24
I {choose|click} size {M|40} and in the basket it is {L|42}, every time. @346/246
The shop says "not in stock" as soon as the [item] [is] in the basket, though the page {shows|says} green. @356/45
My voucher {box|field} {vanished|is gone} from the basket, there is only a {line|gap}. @13/146
The basket asks me to {add|take} a "free" [item2] and will not let me {say no|go on}. @36/46
I {saved|kept} a list for our {trip|group}, and the link to it {opens|shows} {the list of somebody else|an empty
  page}. @4/4
The minus sign in the basket {adds|puts in} one more. @134/26
I left for {lunch|ten minutes}, and the basket with {eleven|nine} things had {run out|gone}. @5/1
""",
    details="""
I did not have this with my {last|first} order.
Cookies are {on|allowed}, in case you ask.
It happens with and without {signing in|an account}.
I can send a {picture|short film} of it.
The [item] [was] the last in my size, so {I am a bit sad|that hurts}.
It is the same {today|on [day]} as [ago].
""",
    asks="""
Can you {get|bring} it back?
What is {wrong|going on} there?
How can I {empty|clear} it?
Could you look at that?
Is the [item] there or not?
Will {somebody|you} repair that?
""",
    shorts="""
my basket is always empty??
I {can't|cannot} change the {number|size} in the basket
The basket shows the wrong {price|size|colour}.
Things {disappear|vanish} from my basket. {Bug?|Why?}
Basket lost after {signing in|logging in}, {eleven|nine} things {gone|away}.
""",
)

SLOW = Topic(
    name="slow or down",
    situations="""
Your site {takes|needs} {half a minute|forever} for each page since [day]. @1346/136
I {only get|see nothing but} "service not {available|there}" {since|from} {seven|nine} this morning. @245/12
The {page|site} with the [item] is blank, the others are {fine|all there}. @34/6
Pictures of the [item] {do not load|stay grey}, I only {see|get} the text. @134/13
The {size|measure} table on the page of the [item] opens and {shuts|closes} at once. @34/46
A window about cookies {covers|fills} the {whole|half} page and {comes back|opens} at every click. @235/36
My browser {warns|says} that your page is "not {safe|secure}". @4/35
The help page {sends|leads} me round in a circle, from {returns|delivery} to {contact|start} and back. @2/6
The link to the [item] in your {newsletter|mail} {ends|lands} on {"not found"|a page with an owl}. @5/6
The page {jumps|hops} up and down while I read, and I {click|press} on {the wrong things|things I do not want}. @34/36
At night, when I have time to {buy|look}, your {shop|site} is {always|again} "being {cleaned|looked after}". @25/2
[who] {is blind|cannot see well}, and with a screen {reader|voice} your new page {says nothing|is only numbers}. @3/6
""",
    details="""
Our line is quick, {films run|everything else runs} without a {stop|break}.
I wanted to look up the {delivery|return} times, nothing {more|big}.
It {began|started} with the new {design|look}.
I {tried|used} {two|three} computers and a phone.
I would just like to buy [a_item].
In the {morning|evening} it is {a bit|a little} better.
""",
    asks="""
Are you {working|at work} on it?
When will {the site|it} be back?
Do I have to {change|set} something {on my side|}?
Can you mail me the {table|text}?
Is the page {safe|real}?
Please {have a look|repair it}.
""",
    shorts="""
Is your site down?
website so slow today, cant even see the [item]
The pictures do not {load|show}.
"Page not found" for the [item], {wrong link?|please check}
Cookie window will not {go away|close}!
""",
)

SEARCH = Topic(
    name="search",
    situations="""
I {type|search for} "[item2]" and the site {shows|gives} me {socks|gift cards|nothing}. @125/145
The filter for {size|colour} does nothing: I pick {M|blue} and {see|get} all of them. @356/46
When I sort by price, the [item] for [amount] comes {before|above} the {cheaper|cheap} ones. @56/24
I {go|look} at the [item], press "back", and {start|am} at the top of {a hundred|forty} {pages|things} again. @56/34
The {site|page} thinks that I live in {another country|[town]} and shows {other|strange} prices. @45/23
Half of the {menu|page} is in English and half in {another language|German}. @35/23
The reviews under the [item] {belong to|are about} [a_item2]. @-/2
Your page shows the [item] as "in stock" in [town], and the shop there {says no|has none}, so your list is wrong. @-/2
The map with your shops {puts|shows} me in the {sea|middle of a lake}. @5/24
The search does not {know|find} the number that {is|stands} on the label of my [item]. @2/156
I {compare|compared} two [items2], and the table {mixes up|swaps} their {weights|names}. @5/24
The {video|film} on how to fold the [item] {has|is} {without|no} sound. @-/4
""",
    details="""
I know that you {have|sell} it, I {saw|had} it in my hand.
I {tried|wrote} it with and without the line.
Only the first page {does|shows} it right.
My address in the account is {right|correct}.
{Last week|A week ago} it {worked|was fine}.
I like to {look|browse} in the evening, and this {spoils|takes} the fun.
""",
    asks="""
How do I find it?
Could somebody {correct|change} that?
Can I {change|set} that somewhere?
Is that a {fault|bug}?
Please {send|mail} me the right link.
Am I {using|doing} it wrong?
""",
    shorts="""
search finds nothing, not even "tent"
Filter by size {is broken|does not work}.
How do I {change|set} the language{ of the site|}?
Wrong {picture|text} on the page of the [item]
Sort by price {sorts|goes} by {nothing|name}
""",
)

FORMS = Topic(
    name="forms and mails",
    situations="""
Your contact form {says|thinks} that my message is {too long|spam}. {It had two lines.|So I write here.} @156/125
I {cannot|can't} {add|put in} a photo to the return form, it stops at {90|99} percent. @25/12
I {ordered|bought} [a_item] {an hour|two hours} ago, it says "thank you", and no mail {comes|has come}. @34/13
The mail from {you|the shop} came {without text|as one line of signs} today. @34/16
I wanted to write a review of the [item], and the stars {cannot be clicked|jump back to one}. @15/16
The chat on your {page|site} {ends|stops} after {one line|each sentence} and {forgets|loses} what I wrote. @15/56
The little robot in the chat {sends|gives} me the same three {links|answers}, whatever I {ask|type}. @1/5
To show that I am no robot I {had to|must} find {buses|hills} in {nine|twelve} pictures, {again and again|without
  end}. @1/45
I got {eleven|seven} times the same mail about order [order], {all in one minute|one every hour}. @4/14
Your mail has links that {do not open|lead to nothing} on my {phone|computer}. @5/16
The {gift|voucher} page prints the card with {boxes|signs} {instead of|where should be} letters. @5/6
The booking page for the repair day {shows|has} only days from {last year|March}. @5/6
""",
    details="""
I {wrote|typed} it {three|four} times, and now I am {tired|fed up}.
The photo is small, and a JPG {as you ask|like you want}.
My mail box is not full, other letters {come|arrive}.
The order is {there|listed} in my account, {oddly|luckily}.
I {closed|shut} everything and started {anew|again}.
It says "try later", and I have, for {two|three} days.
""",
    asks="""
Can you {see|check} what happens there?
Can I send it {this way|by mail} instead?
Did it {work|go out} or not?
Please turn {that|this} off.
How else can I {reach|write to} {you|a person}?
Can you put that right?
""",
    shorts="""
contact form does not send
no confirmation mail for [order], did it work?
I can't {post|write} a review, {the stars do nothing|error}
Can I {talk|write} to a {person|human}? The chat robot {is stuck|repeats itself}.
Upload stops at {90|99} %. {Why?|File is small.}
""",
)

TOPICS = (CHECKOUT, APP, BASKET, SLOW, SEARCH, FORMS)
