"""Account: signing in, personal details, newsletters, points and privacy."""

from __future__ import annotations

from .topic import Topic

LOGIN = Topic(
    name="signing in",
    situations="""
I cannot {get in|sign in} {any more|since [day]}, and I am sure that the password is right. @1345/123
I {forgot|lost} my password and the mail to set a new one {does not come|never arrives}. @124/234
The link for a new password {had run out|was too old} before I {saw|opened} it. @15/2
You ask for a code by text, but I have a new {phone|number} since [since]. @145/34
{After five tries|I mistyped once or twice and now} I am locked out for {a day|24 hours}. @13/13
You say that my e-mail is "unknown", and yet you {send|write} me letters to {it|that very address}. @456/135
I ordered {as a guest|without signing up} and now would like to {see|keep} my order in an account. @-/5
When I sign in I {see|land in} the account of {somebody else|[who]}, with {another name|the wrong name} and all. @3/6
My {mother|father} {always signed in with|used} an address at work and is {now retired|not there any more}. @-/45
I no longer have the {e-mail|mail address} that I {signed up|joined} with. @145/345
The new password must have {twelve|fourteen} signs, a number and what not, and mine is {still|always} "too weak". @3/-
I {stay|am} signed in for {five|two} minutes only, then I am {out|a stranger} again. @3/-
""",
    details="""
I wanted to look up my order [order], that is all.
I {looked|checked} in the spam folder, too.
It is the same on the {phone|computer} of [who].
I have been with you for {six|ten|four} years.
There are gift card {euros|sums} in there that I do not want to lose.
My {name|address} has not changed.
""",
    asks="""
Can you {open it|let me in} again?
Please {send|give} me a new link.
How do I get back in?
Can you set it to my {new|other} {address|number}?
Do I have to {start|sign up} anew?
Who else could have {used|seen} it?
""",
    shorts="""
forgot password, no mail comes
I am locked out, {help|please open my account}
Can I {sign in|log in} without a phone?
How do I change my password?
My e-mail is "unknown"? I have {been a customer|ordered} for years!
""",
)

DETAILS = Topic(
    name="personal details",
    calm=True,
    situations="""
I got married and {have|use} a new last name. @124/124
We {have moved|moved} to [town], and I {would like|want} the new street to be in my {profile|data}. @136/1236
My first name is spelled {wrong|with one letter too few} {in|on} all your mails. @56/12
You call me "{Mr|Mrs}" in every {letter|mail}, and I am {not|neither}. @5/12
I have a new e-mail and {cannot|do not see where to} {change|put} it. @12/123
My date of birth is wrong, which {makes me|turns me into somebody} {a hundred and two|nine years old}. @46/124
The phone number that you have {is|belongs to} {my former flat mate|an old one}. @16/123
There are {three|four} old addresses in my list and I cannot {delete|remove} them. @13/3
My son is {eighteen|grown up} now, and I {want|would like} to hand my account over to {him|my son}. @1/145
My husband died {in spring|last year}, and the account is still in his name. @145/14
After {the divorce|we parted}, I do not want my former {husband|wife} to see what I {order|buy}. @-/4
I {changed|saved} my details {three|several} times, and the old ones {come back|are there again} on the next day. @356/1
""",
    details="""
I have nothing on order {at the moment|right now}, so nothing can go wrong.
The {newsletter|printed book} may stay as it is.
{The last parcel|My last order} went to the {old|wrong} place because of that.
I can send a {paper|proof} if you {need|want} one.
It is a small thing, but it {hurts|bothers me} every time.
[who] had the same with you {and it was solved in a minute|before}.
""",
    asks="""
Can you {change|correct} that for me?
Where do I {do that|change it}?
Please {delete|remove} the old one.
What do you need {from me|for that}?
Will my points {move|come} with it?
Does that {work|count} for open orders, too?
""",
    shorts="""
please change my address for the future
How do I {change|correct} my name?
New e-mail: where can I {enter|change} it?
You have my old phone number. {New one by mail?|How can I change it?}
Can two {people|of us} {use|share} one account?
""",
)

PRIVACY = Topic(
    name="privacy and closing",
    situations="""
I would like to close my account. I {walk|camp} {less now|no longer}, {that is all|no other reason}. @2345/1245
I {want|would like} to know what you {have saved|keep} about me. @146/36
You {wrote|promised} [ago] that my data was deleted, and today I {got|had} a {birthday|"we miss you"} mail. @-/15
I never {made|wanted} an account, I only {bought|ordered} [a_item] once. @2346/15
Another {firm|shop} wrote to me and knew what I {bought|ordered} {at your shop|from you}. @6/3
I read about stolen customer {data|lists} in the paper and {am worried|thought of you}. @-/36
My card number is saved {with you|in my profile}, and I {do not remember|never} {agreeing|agreed} to that. @3/3
[who] made an account for me without {asking|my knowing}. @24/15
I am {fifteen|sixteen} and my {parents|mother and father} say that I must not have an account. @5/15
A review that I wrote {shows|has} my full name for {everybody|all} to see. @6/-
Your app {wants|asks for} my place and my {contacts|pictures}, {and I wonder why|to show me a jacket}. @-/3
After I closed my account {it came back|I could still sign in} {when I ordered again|a week later}. @6/15
""",
    details="""
I {ask|am asking} for all of it, orders and bills as well.
You may keep what the law {asks for|says}.
The button for that is {hidden|greyed out}.
I am not {angry|cross}, I only want order in my {things|life}.
There is still an order {open|on the way}, {that one should come|please send that}.
I {asked|wrote} the same [ago] and got no answer.
""",
    asks="""
Please delete {everything|me}.
What happens to my points then?
Who {gets|sees} my {data|details}?
Can I {only|just} make it {sleep|pause} for a while?
Please {confirm|write me} when it is done.
Can you send me a {copy|list} of it?
""",
    shorts="""
please delete my account
Which data do you have about me?
Take my card out of {your system|my profile} please
How do I {close|end} my account?
Do you {sell|give away} my address?
""",
)

NEWS = Topic(
    name="newsletter",
    situations="""
I get {two|three} newsletters a day from you. {One a month would do.|It is too much.} @12356/123
I {clicked|pressed} "unsubscribe" {four|three} times, and {there it is again|the mails go on}. @1234/15
I would {like|love} to get the newsletter, but the form says that I am {already|long} {in|on the list}. @56/4
Your text messages {wake|reach} me at {six|five} in the morning. @15/135
The {paper|printed} book with all the tents comes {twice|three times} to our house. @56/3
The mails with {offers|sales} go to my {work|office} address, {and my boss is not amused|where they should not go}.
  @1/16
Since I {ordered|bought} [a_item] for a child I get mail {only about|full of} baby things. @15/12
I {want|would like} to hear about repair days and walks, not about {sales|cheap socks}. @5/2
I have not had {a|your} newsletter since [since], {and I miss it|although I did nothing}. @5/4
The mails still greet me as "Dear Customer Name". {That is not me.|I have another name.} @5/-
I get a mail after every {click|visit}: "You forgot the [item]!" I {did not forget|only looked at} [it]. @125/125
My late {aunt|uncle} still {gets|is sent} your birthday {card|voucher}, {and it pains us|every year}. @4/5
""",
    details="""
Mail about my orders is fine, of course.
The link at the bottom {asks|wants} me to sign in first, which I {do not want|find odd}.
I do not want to lose my account over {it|this}.
[agent] {said|told me} it would take a {week|few days}, that was [ago].
{Otherwise|Apart from that} I like your shop a lot.
I have two addresses with you, maybe that is {it|the reason}.
""",
    asks="""
Please take me off {the|that} list.
How can I {choose|set} what I get?
Can I get {it|them} less often?
Please put me {back|on the list} again.
Who can {switch|turn} that off?
Could you {use|take} the other address?
""",
    shorts="""
{unsubscribe|stop the newsletter} please
No more text messages {please|, please}!
How do I {sign up for|get} the newsletter?
I get everything twice. Please {send|write} only once.
Third time I ask: no {advertising|newsletter}.
""",
)

POINTS = Topic(
    name="points",
    situations="""
The points for the [item] {are not|have not been} {in my account|counted}. @12/136
I had {four hundred|nine hundred} points in {March|June}, and now there are {sixty|nine}. @45/236
I {forgot|did not show} my {member|club} card {at the till|when I bought the [item]} in your shop. @126/1
[who] and I would like to put our points {together|into one account}. @4/-
I want to {use|spend} my points on [a_item], but I do not {see|find} how. @4/35
My level {fell|went down} from {silver|green} to {nothing|grey} {over night|this month}. @35/6
I {sent|gave} one thing of three back, and you took away {all the points|the points for all}. @1/16
You {promised|offer} {double|twice the} points {on [day]|in May}, and I got the {normal|single} ones. @13/16
I {got|won} {200|300} points for a review that I {did not write|never wrote}. @-/6
My membership card {broke|got lost|was in the bag that was stolen}. @-/4
I brought {four|five} friends to you, and {not one|none of them} {shows|was counted}. @3/16
I am in the club since {it began|the first day}, and my account says "new member". @3/6
""",
    details="""
I {kept|have} the receipt.
[they] cost [amount], so it should be a good {number|few}.
The newsletter {still says|says} something else.
I had {saved|kept} them for a {tent|big thing}.
The [day] before, all was {right|as it should be}.
The {man|woman} at the till {wrote|took} my number down {by hand|on paper}.
""",
    asks="""
Can you {add|put} them in {by hand|afterwards}?
How long are they {good|valid}?
Where {did they go|can I see them}?
Can I have a new card?
What is one point worth?
Please check my {balance|account}.
""",
    shorts="""
Where are my points for order [order]?
How many points do I have?
Do my points {run out|end} some day?
lost my club card, can i get a new one
Can I {give|send} my points to [who]?
""",
)

TWO = Topic(
    name="accounts and sign-ups",
    situations="""
I {seem to have|have} two accounts with the same name, {and half of my orders in each|one old and one new}. @4/1
My {older|old} orders are {gone|not there}, the list starts in {May|last year}. @-/4
I would like to {open|have} an account for our {club|firm|school} and order for all. @-/5
When I sign up, it {says|tells me} that the {name|address} is taken. {By whom?|It can only be me.} @-/5
Somebody {changed|has changed} the address in my account, {and it was not me|I got a mail about it}. @1235/236
There is an order in my account that I did not {make|place}: [a_item2] to a street in [town]. @12/236
You {wrote|mailed} that somebody {tried to sign in|signed in} from {another country|[town]}. @126/6
I {made|opened} an account [ago], but the mail to {confirm|finish} it never came. @-/5
My account is "{closed|blocked} for {checks|safety}", {and nobody says why|whatever that means}. @6/5
I {order|buy} for my {grandmother, and her|grandfather, and his} things and mine {get|are} mixed up in one list. @4/5
The list of things that I like is {empty|gone}. There were {thirty|twenty} in it. @-/4
I want to see what I {bought|had} in {2019|2021}, because I {look for|need} the size. @-/-
""",
    details="""
I {changed|have changed} my password to be {safe|sure}.
My card has not been used, I {checked|looked}.
Only [who] {knows|could know} it{, and that is fine|}.
I can {give|tell} you the order numbers of both.
My phone {is|was} never out of my hand.
In the mail it says that I {must|have to} write to you.
""",
    asks="""
Can you {join|put} them together?
Who was {that|it}?
Please block it {until|while} this is clear.
Can you {bring|get} them back?
What do we {have to|need to} do {for that|}?
Is my account safe?
""",
    shorts="""
Two accounts, can you make one of it?
was that mail about a {new sign-in|sign-in from [town]} from you?
Where are my {older|old} orders?
Somebody uses my account! {Please block it.|What now?}
How do I open an account for {a firm|a club}?
""",
)

TOPICS = (LOGIN, DETAILS, PRIVACY, NEWS, POINTS, TWO)
