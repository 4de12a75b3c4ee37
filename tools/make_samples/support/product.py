"""Product: size, material, care, use, spare parts and stock of the goods."""

from __future__ import annotations

from .topic import Topic

FIT = Topic(
    name="which size",
    calm=True,
    items="wear foot",
    situations="""
I am between two sizes and would like to order the [item]. @12345/12346
I wear {39|41|43} in normal shoes and {an M|an L|an S} in shirts, and I {look at|am thinking of} the [item]. @2345/1236
I have {long arms|broad shoulders|wide feet|short legs}, {and most things do not fit|so buying is not easy}. @134/156
The [item] would be a present for [who], and I cannot ask for the size. @4/126
My old [item] [is] size {38|M|L}, but {I hear|they say} that the new ones {are cut differently|are small}. @345/123
The table gives the {chest|foot length} only, and I {need|would need} the {waist|width} for the [item]. @1346/-
I am {one metre ninety|a small woman|quite tall}, and {sleeves|legs} {end|stop} too early in most shops. @124/1356
[who] is {eleven|thirteen} and {grows|gets taller} every week, so I do not know which [item] to get. @34/134
I would {wear|use} the [item] over a thick {jumper|sock}, so [they] must not be {tight|close}. @123/134
I sent {one|a size} back last year because [they] [was] too {narrow|short}, and {want|would like} to do better now.
  @12/123
There is a {men's and a women's|women's and a children's} version of the [item], and I {see|find} no difference. @-/16
I can {only order|not come to the shop and try}, and I would like to get it right {the first time|at once}. @123/123
""",
    details="""
I measured {96 cm|102 centimetres|more than a metre} around the {chest|hips}, if that helps.
In other brands I take the {bigger|smaller} one.
I would {mostly|only} wear [it] on {long walks|the way to work}.
Between you and me, I {do not like|hate} sending things back.
Two {people|buyers} wrote that [they] {would stretch|would give} with time.
I do not have an account yet, so I cannot {see|look up} what I had before.
""",
    asks="""
Which size should I {take|order}?
Do[es] [they] run small or large?
Would you go up {one|a size}?
How much room should there be?
Do you have {half|longer} sizes?
What do other people with {my|this} size {say|take}?
""",
    shorts="""
[item]: do[es] [they] run small?
Which size for {a foot of 26 cm|a chest of 100 cm}?
Is there a {wide|long} version of the [item]?
i am 1.{68|84|92}m, M or L in the [item]?
What size of [item] for a {ten|twelve} year old?
""",
)

STUFF = Topic(
    name="material",
    calm=True,
    items="wear foot",
    situations="""
I {read|saw} that the [item] [is] "weather proof". {That can mean many things.|I would like to know what that means.}
  @12356/12
I get a {rash|red skin} from wool, so I have to be careful with [a_item]. @256/15
We do not {eat|use} anything from animals at home, and I {like|would like} the [item]. @256/145
[who] sleeps cold, and I would like to {give|get} [her] [a_item] for {winter|the mountains}. @3/36
I camp by the sea, {in a lot of wind|with salt and sand}, and wonder how the [item] {take[s]|would take} that. @13/126
The picture of the [item] {shows|has} a {shiny|rough} surface, and I {like it dull|cannot tell what it is}. @26/1
It {rains|pours} a lot where I live. My last [item] (not from you) {was wet after an hour|held for ten minutes}.
  @1356/126
My {daughter puts everything in her|son puts everything in his} mouth, so I ask what the [item] [is] made of. @256/15
I {want|would like} to buy less plastic, and the page of the [item] {says little|is silent} about it. @26/145
I {sweat|get warm} a lot when I walk uphill and {do not want|would hate} to {stew|cook} in [a_item]. @136/1
The new [item] {feel[s]|[is]} thinner than the one I {had|bought} three years ago. @34/126
There is a number on the label of the [item], "{8000|10000} mm", and I do not know what {it means|to make of it}. @2/2
""",
    details="""
I would use [it] {about|on} {twenty|thirty} days a year.
{Your colleague|The man|The woman} in the shop was not {sure|certain} either.
For [amount] I would like to be sure.
The {older|dark} one {was|is} said to be better.
I {have to|must} know before I pay, because {I travel far|we start on [day]}.
The text on the page {says|only says} "high quality".
""",
    asks="""
What [is] [they] made of{ exactly|}?
{Will|Would} [they] keep me {dry|warm}?
How {cold|cool} may it get?
Where [is] [they] made?
Is there anything {from animals|harmful} in it?
{How long|How many years} do[es] [they] last, in your view?
""",
    shorts="""
[is] the [item] {really waterproof|windproof|made of wool}?
what [is] the [item] made of
[is] the [item] warm enough for {snow|minus ten}?
Where do you {make|sew} the [item]?
Is there {leather|plastic|down} in the [item]?
""",
)

CARE = Topic(
    name="care and use",
    calm=True,
    items="wear foot carry camp",
    situations="""
My [item] [is] full of {mud|soot|sand} after our trip and I {do not want to|am afraid to} ruin [it]. @12/123
I lost the {leaflet|little book} that came with the [item]. @3/4
I cannot {find out|see} how the [item] {open[s]|fold[s]}, and I feel {silly|a bit stupid}. @34/46
There is a {ring|loop|small bag} on the [item], and nobody in our family knows {what it is for|its use}. @4/4
Rain no longer runs off the [item] as {it did|at the start}. @125/13
[who] washed the [item] {hot|with the towels}, and {it feels|now it feels} different. @1/3
The [item] smell[s] of {smoke|fish} after {a weekend|the camp}, though I {hung|put} [it] out in the wind. @12/123
I {will|shall} not need the [item] until {spring|next year} and have only a {damp|cold} cellar. @-/5
The drawing in the box of the [item] {has|shows} seven steps and I {stop|give up} at the fourth. @3/46
A small {hole|tear} from a spark: my own fault, but I {love|am fond of} the [item]. @36/3
I {used|have used} the [item] for {nine|six} years, and I would like to get {nine|six} more out of [it]. @-/135
My {cat|dog} {slept|lay} on the [item] for a week. {Now I have a furry one.|It was a good week for one of us.} @2/123
""",
    details="""
The label is {washed out|too small to read}.
I {tried|used} soap and cold water, which did {little|not much}.
I am not {good|clever} with my hands.
[they] {came|arrived} without any paper.
{A friend|[who]} said to use wax, and another said never.
I do not want to send [it] in for {that|such a thing}.
""",
    asks="""
How do I {clean|wash} [it]?
Can [they] go into the machine?
What do you {use|recommend} for that?
Do you have the {leaflet|steps} as a file?
How should I {keep|store} [it]?
What am I doing wrong?
""",
    shorts="""
How do I wash [a_item]?
can the [item] go in the dryer?
Can I iron the [item]?
How do I get {wax|tar|smoke} out of [a_item]?
Which {wax|soap|spray} for the [item]?
""",
)

STOCK = Topic(
    name="stock",
    calm=True,
    situations="""
The [item] in {green|red|grey} [is] {gone|sold out} in my size. @12345/12456
I would have ordered the [item] {long ago|weeks ago}, but [they] [was] never there. @235/136
I {saw|touched} [a_item] in your window {on [day]|[ago]}, and cannot find [it] on the {page|site}. @46/3
{Three|Two} years ago I bought [a_item] from you, and I {want|would like} exactly {the same|those again}. @124/25
The page says "only two left" {for days|since [day]}. @46/23
[who] has [a_item] of yours in a blue that I have not {seen|found} anywhere. @1/5
Your page lists the [item] as "coming {soon|in autumn}". @234/136
I need {four|six} of the same [item2], and I can only put {two|three} in the basket. @46/2
I {would|am ready to} drive to {you|your shop in [town]} for the [item], it is {an hour|quite a way}. @46/3
I heard that you {no longer make|will stop making} the [item]. {That would be a pity.|Please not!} @14/235
I put my name on the list for the [item] {in spring|[ago]} and have not heard {anything|back}. @35/13
The [item] [is] my favourite, {worn to threads|old and patched}, and I look for a second one just like [it]. @14/5
""",
    details="""
{Another|A similar} one would do, if it is {as light|the same size}.
I have a gift card that wants to be spent.
I {check|look} every morning.
I would pay {now|at once}, if that helps.
[agent] in the shop said that more would come.
I do not need [it] delivered, I can {come|pick [it] up}.
""",
    asks="""
When will you have [it] again?
Will there be more?
Can you {keep|hold} [one] for me?
[is] [they] in the shop in [town]?
What would come close to [it]?
Can you write to me when [they] [is] back?
""",
    shorts="""
When [is] the [item] back in {stock|black|size M}?
Do you still {have|make} the [item]?
[is] the [item] {in the shop|in [town]} too?
Will there be [a_item] in {yellow|red} again?
Do you {have|sell} {used|second-hand} [items2]?
""",
)

COMPARE = Topic(
    name="which one",
    calm=True,
    situations="""
I cannot {decide|choose} between [a_item] and [a_item2]. @45/145
We want to walk for {ten|five} days along the coast, {from hut to hut|with a tent}, and it is our first time. @236/4
[who] starts {hiking|camping} this year and would {like|need} [a_item] that can stand a bit of everything. @45/4
There are {four|five} models of the [item], and the texts {read|sound} the same to me. @45/123
I have a bad {back|knee}, and {every gram counts|weight matters to me}. @34/4
I look for [a_item] that still look[s] {decent|good} {in the office|in town}. @45/4
What I need is simple: [a_item] for {rain|short trips} and {two|three} nights a month. @34/4
The test in a {magazine|walking paper} puts your [item] only in {third|second} place. @5/4
One [item] costs twice as much as the other, and I do not see {why|for what}. @45/23
I {bought|got} [a_item2] from you last year and was very happy, so {now|this time} I look for [a_item]. @45/4
Our {baby|youngest} comes along for the first time, and I {wonder|do not know} what we need {for that|besides
  patience}. @236/4
I would like to {give|make} [who] a present, something like [a_item], not above [amount]. @-/4
""",
    details="""
It {must|has to} fit into a small car.
We go in {May|October}, when nights are cold.
I carry it all {myself|on my own back}.
Money is not the {main|first} thing, but it plays a part.
I have read all {the reviews|that your customers write}, and {am|was} none the wiser.
The {rest|others} I have {ordered|bought} already.
""",
    asks="""
Which one would you take?
What is the difference?
Is the dear one worth it?
{What do you advise|What would you recommend|Do you have a tip|What would be right|Any ideas}?
Do I need both?
Is that {too much|enough} for a beginner?
""",
    shorts="""
[a_item] or [a_item2] for {rain|winter|a week in the hills}?
Which of the [items] is the lightest?
What is {new|better} about the new [item]?
Good {present|gift} for a {walker|camper} under [amount]?
which [item] for a beginner
""",
)

PARTS = Topic(
    name="parts and measures",
    calm=True,
    items="camp carry small",
    situations="""
I {lost|broke} a {small part|buckle|peg|cap} of my [item] and would like to {buy|get} just that. @1456/1
I want to {fix|hang} the [item] {to my bike|on my rucksack}. @35/2
I have the [item] from {2015|2018|2019}, and wonder whether the new {cover|bag} fits. @12345/2
I {fly|travel by plane} with hand luggage only, so the [item] {must|has to} be short. @35/36
The measures on the page are for the open [item], and I {need|would need} them for the {packed|closed} one. @5/36
We are {three|four} people and a {dog|small child}, and {space|room} is the question. @5/35
The [item] and the [item2] look as if they {could|might} go together. @35/26
[who] {uses|has} a wheelchair, and we would like to know if the [item] can be {used|opened} sitting. @5/6
I have {small hands|one weak arm}, and {many|most} [items2] are hard to {close|open} for me. @5/6
I would like to {sew|print} our club's {name|sign} on [a_item]. @5/-
Does anybody at your place know the [item] {from real use|in snow}? The page gives {numbers|figures} only. @-/-
I {paint|draw} outdoors and {look for|need} [a_item] that holds {water|my box}. @3/35
""",
    details="""
The number on it is {half gone|hard to read}.
The {old|first} one {holds|has held} since {my army days|school}.
It is {61|38|24} {cm|centimetres} long, I {measured|checked}.
I {do not want|would hate} to throw the whole thing away.
I asked in your shop, but the {man|woman} there was new.
I {may|can} also make it {myself|at home}, if you tell me how.
""",
    asks="""
Do you {sell|have} {parts|that part} for it?
Does that fit?
How {big|heavy} [is] [they] when packed?
Does it {come with|include} a bag?
{How many|What} do they hold?
Can you {measure|try} that for me?
""",
    shorts="""
How much do[es] the [item] weigh?
Do you sell {spare parts|pegs|buckles} for the [item]?
do[es] the [item] fit {in a bike bag|in hand luggage|under a seat}?
How {long|wide} [is] the [item] when closed?
[is] the [item] ok for two {people|persons}?
""",
)

TOPICS = (FIT, STUFF, CARE, STOCK, COMPARE, PARTS)
