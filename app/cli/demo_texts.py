"""What the people of the demo write to each other, a dialogue a text.

A line begins with `<` (the fan writes), `>` (the creator writes), `+` (with a picture) or `$` and a number (with
pictures at that price in dollars); an indented line goes on with the one above, and `¶` begins a paragraph.
`{fan}` and `{creator}` are first names.
"""

ADAS = (
    """
    < Good morning {creator}! The lighthouse series is the best thing I've seen all week ☀️
    > Morning {fan}! You have no idea how cold it was up there. I couldn't feel my fingers by the third roll 🥶
    < Worth it! Was that Portra 400?
    > Close: Ektar, pushed one stop. It loves red doors and hates faces
    < Noted. I'll stop pointing it at my aunt then 😄
    """,
    """
    < Do you ever do the sunrise routine without music?
    > Often! I count breaths instead. Four in, six out.
    < That's what I needed to hear. Music makes me rush.
    > Then here's a slow one I filmed this morning, no music, just gulls 🌊
    + Twenty quiet minutes. Bring a blanket.
    < Thank you {creator}, that was the calmest start of a Monday in years.
    """,
    """
    > Hi {fan}, the new set from the harbour is ready. Twelve frames, and the one with the umbrella is my
      favourite of the year.
    $ 12 Harbour, 6 a.m. Twelve frames from the last roll ☂️
    < Bought it before the coffee was ready 😅 the umbrella one is magic
    > You made my day. I'd nearly thrown that negative away!
    """,
    """
    < Which camera would you give to a complete beginner?
    > One that they aren't afraid to drop! Honestly: anything second-hand with a working light meter. Spend the money
      on film instead, and take the same walk with it every week. ¶ You learn more from twenty rolls of one street
      than from one roll of twenty cities. When you have the first roll back, send me the three that you like best and
      the three that you like least, and we look at them together. I mean it!
    < I'm going to frame this message
    > Frame the photos 😉
    """,
    """
    < Happy birthday {creator}!! 🎂🎉
    > Thank you {fan}! How did you know?
    < You said so in the March video. I keep notes 🤓
    > Officially impressed.
    """,
    """
    < quick question, is the Sunday live at 6 or at 7?
    > 7 Paris time, so 6 in London 🙂
    < perfect, see you there
    """,
    """
    < I tried your two-minute balance thing on the train platform
    > And?
    < A child asked her mother whether I was a flamingo 🦩
    > That's the highest praise there is
    < I took a bow
    """,
    """
    < Are the prints still available in the small size?
    > A few! 20 x 30 on cotton paper. I sign them on the back.
    < Could you keep number 7 for me until Friday? Payday 😬
    > Put aside, with your name on it. No hurry at all.
    < You're the best
    """,
    """
    > {fan}, remember that you asked about contact sheets? I scanned one whole, with all my crosses and arrows.
    $ 8 A complete contact sheet, mistakes included 🎞️
    < The arrow with "NO!!" next to it is the best part
    > That one was an accident with a seagull
    """,
    """
    < What do you do when nothing looks good any more? I've been staring at the same photos for days.
    > I put them in a drawer for two weeks. Really. The eye gets tired like any other muscle.
    < and if the deadline is tomorrow?
    > Then I show them to somebody who will be honest, and I don't explain anything first. What do they point at?
    < My sister pointed at the one that I wanted to delete
    > Well, there's your cover 😊
    """,
    """
    < Bonjour {creator} ! Le bleu de la dernière série est incroyable.
    > Merci {fan} ! C'est l'heure bleue à Marseille, sans aucune retouche 💙
    < On dirait un rêve. Tu y retournes bientôt ?
    > En avril, si le mistral veut bien se calmer
    """,
    """
    < My shoulder complains whenever I do the third pose. Am I doing it wrong?
    > Probably just too far. Keep the elbow bent and stop where it's still easy. If it goes on, please let somebody look
      at it in person. I'm a photographer who loves yoga, no physiotherapist 🙏
    < Bent elbow = no complaint. Thank you!
    > Yay! Slow is fine.
    """,
    """
    < Is there a way to see the Lisbon pictures again? I can't find the post
    > Scroll to 14 May, it's called "Trams". Or wait, I'll send you my favourite:
    + Number 28, just before it rained
    < That's the one! I was on that very tram last summer
    > No way! Did you also miss the stop? 😄
    < Twice
    """,
    """
    < hello :)
    > Hello {fan}, welcome! How did you find me?
    < A friend sent me your talk about patience. I listened to it twice on the way to work.
    > That makes me really happy. Make yourself at home, and ask whatever you like.
    """,
    """
    < How do you get people to look so relaxed?
    > I talk about food until they forget the camera 🍝
    < And if they're not hungry?
    > Everybody is hungry.
    """,
    """
    < I got the darkroom set up in the bathroom! First print is hanging over the tub
    > !!! Show me!
    < It's mostly grey
    > The first one is always mostly grey. Try a minute less in the second bath, and warm the developer to 20°.
    < Update: it has a black AND a white now 🖤🤍
    > I'm so proud of you
    """,
    """
    > Good evening {fan}! The calendar for next year goes to the printer on Thursday. May I ask you which
      cover you'd take: the pier or the snow?
    < The snow! Everybody else will have a pier
    > Ha, that's exactly what my mother said
    """,
    """
    < I'll be away for three weeks, do the videos stay up?
    > They stay, don't worry. Where are you going?
    < Hiking, no signal, no shower, no regrets ⛰️
    > Take one photo a day and nothing more. I want to see the twenty-one!
    """,
    """
    < Thank you for answering everybody. I don't know how you do it.
    > With tea. So much tea. And people like you make it easy 🍵
    """,
    """
    < Did the parcel arrive? I sent the old lens on Tuesday
    > It did, yesterday! It's beautiful, and it has a tiny bubble in the glass that makes the lights dance.
    + First test with your lens: look at the street lamps ✨
    < I KNEW it would be happier with you
    """,
    """
    < Which book should I start with?
    > "The Summer Book". Not about photography at all, and it taught me more about light than any manual.
    < Ordered. Thanks!
    """,
    """
    < Can one do the evening stretch with a cat on one's back? Asking for a friend
    > The cat is mandatory, it adds resistance 🐈
    < The friend says she fell asleep
    > The friend or the cat?
    < Both
    """,
    """
    > Hi {fan}! You asked for the long version of the coast walk, so here it is, uncut, with all the wind.
    $ 15 The coast walk, 48 minutes 🌬️
    < You spoil us
    > I had to watch it three times to find where I drop the tripod. Tell me when you've found it!
    < 31:07 😂
    > Correct. There goes my dignity
    """,
)
BEAS = (
    """
    < My starter smells like nail polish, is it dead?
    > Hungry, not dead! Feed it twice today and it forgives you 💛
    < It doubled!! I'm calling it Lazarus
    """,
    """
    < The cardamom buns are gone. All of them. It's 9 a.m.
    > That's breakfast, it counts ☕
    """,
    """
    > {fan}, the recipe book is ready, with the plum cake that you asked for.
    $ 9 Winter bakes, 40 pages
    < The plum cake!!! Thank you Bea
    """,
    """
    < Cold butter or soft?
    > Cold for flaky, soft for fluffy. When in doubt: cold, and cold hands too.
    < Hands in the freezer, got it 🧊
    """,
)
EVES = (
    """
    < How long do you let the mugs dry before the first firing?
    > A week under cloth, more when it rains. Impatience sounds like a small explosion 💥
    < I have heard that sound
    """,
    """
    < That blue glaze!
    > Two coats, the second when the first is still a bit damp.
    + The test tiles, left one coat, right two
    < What a difference
    """,
    """
    > Hello {fan}, the kiln is open! Eight bowls survived, and two are yours if you want to see them first.
    $ 10 The opening of the kiln, in order
    < Number five looks like the moon 🌕
    """,
    """
    < I centred the clay for the first time today
    > The best feeling there is! Now do it with your eyes closed.
    < ...I need a new apron
    """,
)
TEXTS = {"acct_demo_ada": ADAS, "acct_demo_bea": BEAS, "acct_demo_eve": EVES}
