"""The keeper's log of Tern Rock Light, September to November."""

from __future__ import annotations

ENTRIES = (
    (
        "1 September",
        """
Wind west, moderate. Sea blue with a hard edge at the horizon, air like glass. I could count the houses on the shore,
and on the church one could see that the clock was wrong. New month, new oil: fourteen barrels came with the supply
ship, and six men rolled them up the ramp with much shouting and little skill. One got away, went down the steps, and
swam off to the east. They rowed after it, and a seal swam with them for a time to see how it would end. They caught
it. I gave them beer and signed for fourteen. The new oil is paler than the old and smells of nothing. We shall see
how it burns. Lamp lit at twenty to eight.
""",
    ),
    (
        "10 September",
        """
The new oil smokes. Wind south, mild, with a long swell from a storm that is somewhere else. I trimmed the wick three
times last night, and still there was a brown veil on the glass by two o'clock, so I climbed up each hour with a cloth
and took it off. That made seven times. The ships will have seen nothing of it, which is the point of the work: when
it is well done nobody sees it at all. I have written to the office. I expect that they will tell me that the oil is
good. In the afternoon I let the swell rock me to sleep on the warm stones and woke up with the print of a shell on my
cheek. Lamp lit at twenty past seven.
""",
    ),
    (
        "17 September",
        """
A thousand small birds in the beam. They come on such nights, when the wind is north and there is cloud but no rain:
they travel in the dark, see the light, and cannot leave it again. They flew round and round, silver when the beam
caught them. I put the nets before the glass, so that they would not break their necks on it, and opened the shed and
hung a lantern inside. By midnight it was full. They sat in rows on the oars, the nets and the handle of the spade.
One sat on my sleeve as I wrote. I locked the cat in the kitchen, and she said bad words. At first light they all rose
and went on. Not one was lost. Lamp steady.
""",
    ),
    (
        "24 September",
        """
Equal day and night again, now on the way down. Wind south-west, increasing; rain since noon. Bram was to come for the
hens, as I give them away before winter, but the sea would not have it. So the hens and I have one more week. They
moved into the hall today beside the green door. I have at last found a use for it: I have laid it on two barrels, and
now it is a table, large enough for the charts, the clock and my elbows. The brass handle sticks out on one side. If I
turn it while I eat, I can believe that I am about to go somewhere. Glass going down like a man on stairs. Lamp lit at
ten to seven.
""",
    ),
    (
        "2 October",
        """
The storm had been announced by everything: by the glass, my left knee, and the hens. It came at eight in the evening
from the south-west, and it came all at once. By ten I could not stand on the gallery. The waves no longer broke on
the rock, but went over it, and I heard the boat shed go, one plank at a time, like somebody pulling teeth. Under the
lamp it was strangely quiet. I sat beside the lens with my back against the warm iron and the cat inside my coat, and
the beam went out into that water, calm and white, as though nothing was the matter. I have never been so fond of a
machine. At four the wind turned. Lamp burned all through.
""",
    ),
    (
        "3 October",
        """
Wind west, falling. A bright, cold, shameless morning. The boat shed has gone, and with it the boat, the ladder, the
oars, and my Sunday boots, which I had put there to dry. The beans are salt. The wash line holds one sock. But the
tower has not moved a hair in a hundred and twelve years, and it did not last night. Three of the hens were in the oil
store and one in the bread oven, and how she closed it behind her I cannot say. At noon a lifeboat came by and called:
"All well?" I called: "All well! Have you seen a boat?" They had seen parts of it. They threw me a loaf and a
newspaper, dry. Lamp lit at half past six.
""",
    ),
    (
        "11 October",
        """
A new boat, already! The village had put money together, and Bram and two others built it in a week, working at night
with lanterns. I had seen the lights on the beach and wondered. She is blue, twelve feet long, and smells of tar. They
would not let me say thank you. "You have paid," Bram said, "every night." Then nobody knew where to look, so we
looked at the boat. I am to give her a name, and have thought about it all day. I will call her Mrs Bell. Wind light
from the north, the sea polite, as if it was sorry. The hens left in a basket, complaining. Lamp lit at ten past six.
""",
    ),
    (
        "19 October",
        """
Fog since yesterday noon, wind none. Twenty-six hours at the bell, with short rests. I have tied a string from my foot
to the hammer, and so I can sit and read while my leg does the work. Today I have read the whole newspaper from the
third of the month, also the part about hats. Somewhere out there a cow was lowing. I noted it down, as I note down
everything: a cow, on the water, passing from west to east. At dusk came the answer to this riddle. It was the cattle
boat from the islands, one day late, with all lights on. Her captain thanked me for the bell, and the cow, I think,
did so too. Fog gone by nine.
""",
    ),
    (
        "27 October",
        """
Wind north-west, cold showers, and between them a low sun that made a rainbow on every wave. I have cleared the last
of the garden. Harvest of the year: beans, two baskets; potatoes, one sack, small; onions, enough; cabbages, none, as
the storms got them first and last. It is not much to live on, but each of those potatoes has been carried, as earth,
up the rock in a bucket by some keeper before me, and I ate the first one slowly with butter. At three o'clock a
letter from the office. The oil, they write, is good. I used the letter to light the stove, and it burned better than
the oil. Lamp lit at twenty to six.
""",
    ),
    (
        "5 November",
        """
A night of northern lights. I have seen them twice before in my life. It began as a pale arch over the land, like the
glow of a town where no town is, and then it stood up. Green, mostly, with a hem of red, and it moved as cloth moves
when somebody walks behind it. There was no sound. I kept waiting for one. I stood on the gallery until I could not
feel my feet, and from time to time our own small beam passed under all of that, faithful, once in thirty seconds, on
its way around. I felt a little sorry for it, and then rather proud. Wind north, light, hard frost. Four ships, all
sailing slowly. I think they were looking up.
""",
    ),
    (
        "14 November",
        """
Wind south, strong to gale, thick rain. Sunna came all the same, because she had to tell me herself: she has been
taken as a hand on the training ship, and leaves on Monday. She stood in the hall with water running out of her
sleeves and was ten feet tall. I made her eat something. I gave her the small compass that I got from my own first
captain, and showed her how it sticks a little at south-west, and that a knock with the finger cures it. From the
gallery I watched the blue dot of her oilskin until it was too dark. Tonight I have trimmed the lamp twice as
carefully as I need to. Eighteen miles, I told her once. It goes farther than that.
""",
    ),
    (
        "25 November",
        """
Wind west, as always in this week. The sea is the colour of slate, and the days are hardly worth opening the shutters
for. Inside it is good. I have bread in the oven, a new wick, dry socks, and a cat with a faded red ear. The training
ship passed today at eleven, bound south under grey sails, three miles off. I dipped the flag. For a while nothing;
then theirs went down and up again, twice, somewhat faster than the rule book says, and I knew who held the line. I
have written it into the official log under "signals". Below that there is a column for remarks. I thought for a long
time, and put: none needed. Lamp lit at four.
""",
    ),
)
