"""The keeper's log of Tern Rock Light, March to May."""

from __future__ import annotations

ENTRIES = (
    (
        "2 March",
        """
Wind west, fresh. Clouds with blue holes in them, and for a minute or two real sun. I put my chair outside, sat in my
coat and called it spring. The first two terns have come. They flew around the tower, shouting at each other, and then
stood on the wash line as though they had paid rent for it. The rock is named for them, so I suppose that they have a
right to complain. I dug over what the winter left of the garden: a bed as long as a boat and as wide as a door. In it
I found a spoon that I had been missing since September. Glass rising, slow and honest. Lamp lit at six.
""",
    ),
    (
        "9 March",
        """
Wind south-west, strong, with rain that came from the side. No day for work outside, so I wrote to the office. I wrote
about the cracked pane, the thin chain and the price of oil. I did not write about the green door, because they would
want it back, or want a form for it. After lunch the light in the west turned yellow, which I do not like, and an hour
later the wind jumped to the north with one great clap. A fishing boat was caught by it on the wrong side of the reef.
I put the lamp on at three in the afternoon, against the rules, and they turned and found the gap. Nobody has to know
but this page.
""",
    ),
    (
        "15 March",
        """
The glass man was here! Wind light, sea kind, so Sunna brought him early, and he was green in the face even so. He is
a thin man with thick gloves, and he lifted out the cracked pane as one lifts a sleeping child. The new one is so
clear that a gull tried to fly through it within the hour. She sat on the gallery for a while, thinking it over. He
stayed for soup and told me that he makes windows for churches, shops and one queen, but that nobody looks through
them as much as I do. I had never thought of it like that. I have looked out of it all evening. Lamp lit at twenty
past six, brighter, I am sure.
""",
    ),
    (
        "21 March",
        """
Day and night the same length. From now on I will win a few minutes from the lamp every evening. Wind north-west,
moderate; sea choppy and dark green. I painted the lower rooms white, two coats, and my sleeves as well. The smell
drove the cat outside, where she met the terns. There was a short war. She lost. Since then she has been sitting under
the stove and will not talk about it. Nine ships today, one of them under full sail, a beautiful old thing with a red
line along her side. One does not see many now. I took off my hat, paint and all. Lamp lit at half past six, burned
without a flicker.
""",
    ),
    (
        "30 March",
        """
Fog in the morning, thin, with a bright spot where the sun was trying. Bell for two hours. Then it rolled up like a
blanket and behind it was the warmest day of the year so far. I opened every window in the tower from the bottom to
the top, and the wind went through it like through a flute. Found a bird's nest in the bell house, in the one corner
that does not move. Four eggs, blue as a summer shirt. So I have a problem: if fog comes, I must ring, and if I ring,
she will fly. I have wrapped the beam beside her in sacking. We shall see who is braver. Lamp lit at a quarter to
seven.
""",
    ),
    (
        "5 April",
        """
Fog, as if it had read what I wrote. Wind none. I rang from four in the morning until noon, two strokes a minute, and
the little bird stayed on her eggs and looked at me the whole time with one black eye. She blinked at every stroke. I
have been told of brave men who were less calm. At ten a big ship felt her way past, closer than I would like; I heard
the water run along her side and somebody on board playing a mouth organ. Then nothing but drops falling from the
roof. My arms are made of wood tonight. I said good night to the bird by name. I call her Mrs Bell. Lamp lit at seven,
though it lit only itself.
""",
    ),
    (
        "13 April",
        """
Wind west, a gale in the gusts, sunshine between. The sea has been throwing stones at us: small ones, the size of
plums, that rattle against the door. I found one of them on the second gallery, forty feet up, and have put it on the
shelf. The mail came in a bottle. Sunna could not land, so she tied the letters into a green bottle, rowed as near as
she dared and threw. I caught it with the fish net at the third try. My sister writes that her knee is better and that
her boy has learned to whistle and will not stop. I read it three times. A bottle suits letters, it keeps the voice
fresh. Lamp lit at ten past seven.
""",
    ),
    (
        "20 April",
        """
Rain from morning to night, straight down and quiet, without any wind at all. It is rare that rain falls straight
here. The barrel is full, the cistern is full, and I have filled the bath, the pots and the baking tray, for one never
knows about July. I washed my shirts in it, my hair and, against her will, the cat. All of us are soft now. In the
afternoon I darned nets by the window and learned a song from memory that I had not known I still had. It has eleven
verses. The eggs in the bell house have opened: four mouths and nothing else. Mrs Bell flies all day long and does not
mind the wet. Lamp lit at half past seven.
""",
    ),
    (
        "28 April",
        """
Clear, with a small wind from the east that dries paint well. I hung from the gallery in the chair all day and painted
the outside, white with one red ring, as the chart says. From up there, one sees how small the rock is. I could cover
it with my hat. Whales! At three, two of them, going north, slow and close together like people who have been married
for a long time. I hung in my chair with the brush in my hand, and the paint dripped on the gallery, on the wall and,
as I saw later, on the cat. She now has a red ear. I think that it suits her, but we do not speak of it. Lamp lit at a
quarter to eight.
""",
    ),
    (
        "6 May",
        """
Wind south, soft, the first that smells of grass. It comes over seven miles of water and still brings the land with
it. Bram came himself today, with a new chain, two men to help, and a cake. We worked on the landing at low water, up
to our knees, and changed the bad links before the tide turned. He is slow now and pretends that it is on purpose.
Later we sat on the wall and looked at the job. He said that his father had put in the old chain, and that this one
would see out both of us. I said that I hoped it would see out the office as well. He laughed until he coughed. Lamp
lit at eight.
""",
    ),
    (
        "16 May",
        """
Sea smooth, sky high, wind hardly worth a line. A class of children came to see the light, fourteen of them, with a
teacher who counted them all the time. They ran up the ninety steps and asked more questions in one hour than the
office has in ten years. Where do I sleep? Do I get bored? Does the light ever go to sleep? Has a ship ever sunk? Why
has the cat a red ear? One boy asked nothing, but stood at the big lens and moved his hand in front of it, and his
small hand went over the whole wall. When they left, he said that he would come back. I believe him, I was such a boy.
Lamp lit at twenty past eight.
""",
    ),
    (
        "27 May",
        """
Wind north-west, fair, white clouds in rows like a wash day. Four young birds left the bell house this morning, one
after the other, with a little cry each time, as if the air had surprised them. The last one waited for an hour. I did
not go near; I stood below with my hands behind my back, and when it jumped at last, I found that I had held my
breath. The bell house is very quiet now. In the garden the beans have come up in two straight lines, and something
has eaten the end of one line, something with a red ear, I think. Fourteen sails at sunset. Lamp lit at half past
eight, nights are getting short.
""",
    ),
)
